{{/*
One rule of an IngressRoute.
Takes a dictionary: owner (values key, for messages), route, extra (names of middlewares added by the chart),
transport (name of the ServersTransport, may be empty).
*/}}
{{- define "app.rule" -}}
- kind: {{ .route.kind | default "Rule" }}
  match: {{ required (printf "%s has a route without `match`" .owner) .route.match | quote }}
  {{- with .route.priority }}
  priority: {{ . }}
  {{- end }}
  services:
  {{- range required (printf "%s has a route without `services`" .owner) .route.services }}
    - name: {{ required (printf "%s has a service without `name`" $.owner) .name }}
      port: {{ .port }}
      {{- with $.transport }}
      serversTransport: {{ . }}
      {{- end }}
  {{- end }}
  {{- if or .route.middlewares .extra }}
  middlewares:
  {{- range .route.middlewares }}
    - name: {{ .name }}
  {{- end }}
  {{- range .extra }}
    - name: {{ . }}
  {{- end }}
  {{- end }}
{{- end -}}
