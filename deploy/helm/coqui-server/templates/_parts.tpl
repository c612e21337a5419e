{{/* Labels of a part: a dict with the root as "root" and its name as "part". */}}
{{- define "labels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* Those by which everything of a release is found. */}}
{{- define "meta" -}}
name: {{ .root.Release.Name }}-{{ .part }}
labels:
  {{- include "labels" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* What servers and workers have in common: a pod that may write to its volume and to /tmp. */}}
{{- define "pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
volumes:
  - name: files
    persistentVolumeClaim: { claimName: {{ .Release.Name }}-files }
  - name: settings
    configMap: { name: {{ .Release.Name }}-settings }
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "container" -}}
{{- $part := index .root.Values .part -}}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
resources:
  requests: { cpu: {{ $part.threads }}, memory: {{ $part.memory }} }
  limits: { memory: {{ $part.memory }} }
volumeMounts:
  - { name: files, mountPath: /var/lib/coqui_server }
  - { name: settings, mountPath: /etc/coqui_server/chart }
  - { name: tmp, mountPath: /tmp }
{{- with .root.Values.secret }}
envFrom:
  - secretRef: { name: {{ . }} }
{{- end }}
{{- end }}

{{/* Variables of a part, as entries of env. */}}
{{- define "variables" -}}
- { name: SERVER_THREADS, value: {{ (index .root.Values .part).threads | quote }} }
{{- range $name, $value := .root.Values.environment }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}
