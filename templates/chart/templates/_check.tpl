{{/* Names everything that is missing at once, before a half-made object or a template error can hide it. */}}
{{- define "app.check" -}}
{{- $missing := list }}
{{- if not (.Values.image).repository }}
{{- $missing = append $missing "image.repository (the image of the app without its tag, such as localhost:5510/ttd-my-app)" }}
{{- end }}
{{- if not (.Values.image).tag }}
{{- $missing = append $missing "image.tag (the version of the app's image)" }}
{{- end }}
{{- if not (.Values.ingressRoute).name }}
{{- $missing = append $missing "ingressRoute.name (such as ttd-my-app-ingress-route)" }}
{{- end }}
{{- if not (.Values.ingressRoute).routes }}
{{- $missing = append $missing "ingressRoute.routes (the rule of the app's own address; the pipeline sets it)" }}
{{- end }}
{{- if $missing }}
{{- fail (printf "\n\nvalues are missing:\n  %s\n" (join "\n  " $missing)) }}
{{- end }}
{{- end -}}
