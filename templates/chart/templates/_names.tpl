{{/* Name of the Service, the autoscaler and the mesh objects, and value of the `app` label. */}}
{{- define "app.name" -}}
{{- printf "%s-%s" .Release.Name (.Values.nameOverride | default .Chart.Name) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the Deployment. The suffix is production's: a selector cannot be changed, so a new name was taken. */}}
{{- define "app.workload" -}}
{{- printf "%s-%s-v2" .Release.Name (.Values.nameOverride | default .Chart.Name) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "app.labels" -}}
app: {{ include "app.name" . }}
chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
release: {{ .Release.Name }}
heritage: {{ .Release.Service }}
{{- end -}}
