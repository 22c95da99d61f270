{{/*
A probe asks the app's own port over plain HTTP.
Takes a dictionary: name (the values key, for messages), probe (its values), port.
*/}}
{{- define "app.probe" -}}
httpGet:
  path: {{ required (printf "%s.path is empty: name the address that the probe asks, such as /health" .name) .probe.path }}
  port: {{ .port }}
{{- range $key := list "initialDelaySeconds" "failureThreshold" "periodSeconds" "timeoutSeconds" }}
{{- if hasKey $.probe $key }}
{{ $key }}: {{ get $.probe $key }}
{{- end }}
{{- end }}
{{- end -}}
