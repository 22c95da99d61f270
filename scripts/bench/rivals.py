"""Other tools in the same race, each as its own documentation recommends for speed.

NONE OF THIS WAS EVER RUN: no host of ours has the programs. Each gets a copy of the app under a name of its own, in the
cluster of the benchmark's stack, behind the same Traefik and router, with images in the same registry (compose: one
container on a port of 127.0.0.1). They compile in the image only, so a C# edit is case b' for all of them.
"""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request

from bench import replace

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  replicas: 1
  strategy: {{rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}}}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 3
      containers:
        - name: app
          image: {name}
          ports: [{{containerPort: 5005}}]
          env: [{{name: BENCH_VALUE, value: "none"}}]
          readinessProbe: {{httpGet: {{path: /health, port: 5005}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 5005}}]}}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: {name}}}
spec:
  entryPoints: [http]
  routes:
    - kind: Rule
      match: PathPrefix(`/ttd/{name}`)
      services: [{{name: {name}, port: 80}}]
"""

TILTFILE = """
allow_k8s_contexts(k8s_context())
docker_build('{name}', '.', live_update=[sync('App/wwwroot', '/app/wwwroot')])
k8s_yaml('bench.yaml')
k8s_resource('{name}')
"""

SKAFFOLD = """
apiVersion: skaffold/v4beta11
kind: Config
build:
  artifacts:
    - image: {name}
      docker: {{dockerfile: Dockerfile}}
      sync: {{manual: [{{src: 'App/wwwroot/**', dest: /app/wwwroot, strip: App/wwwroot/}}]}}
  local: {{push: true, useBuildkit: true}}
manifests: {{rawYaml: [bench.yaml]}}
deploy: {{kubectl: {{}}}}
"""

COMPOSE = """
services:
  app:
    build: .
    ports: ["127.0.0.1:{port}:5005"]
    environment: {{BENCH_VALUE: "none"}}
    develop:
      watch:
        - {{action: sync, path: App/wwwroot, target: /app/wwwroot}}
        - {{action: rebuild, path: App, ignore: [wwwroot/]}}
"""


class Rival:
    """What all of them share."""

    cases = ["a", "b'", "c", "d", "e", "f"]

    def __init__(self, stack):
        self.stack = stack
        self.process = None

    def prepare(self, folder):
        """A copy of the app that answers under the rival's name, with files that the app's user may write."""
        self.folder = folder.parent / self.name
        shutil.copytree(folder, self.folder)
        (self.folder / "altinn-local.yaml").unlink(missing_ok=True)
        metadata = self.folder / "App/config/applicationmetadata.json"
        metadata.write_text(metadata.read_text("utf-8").replace('"ttd/bench"', f'"ttd/{self.name}"'), "utf-8")
        dockerfile = self.folder / "Dockerfile"
        text = dockerfile.read_text("utf-8").replace("COPY --from=build", "COPY --chown=1000:3000 --from=build")
        # The stack's own images: the same base for all.
        parts = {"DOTNET_SDK_IMAGE": "dotnet-sdk", "DOTNET_ASPNET_IMAGE": "dotnet-aspnet"}
        for argument, part in parts.items():
            if image := self.local_image(part):
                text = text.replace(next(line for line in text.splitlines() if line.startswith(f"ARG {argument}=")),
                                    f"ARG {argument}={image}")
        dockerfile.write_text(text, "utf-8")
        self.configure()
        return self.folder

    @staticmethod
    def local_image(part):
        command = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", f"altinn-local/{part}"]
        return next(iter(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()), None)

    def write(self, name, text):
        (self.folder / name).write_text(text, "utf-8")

    def kube(self, *arguments):
        command = [str(self.stack.program), "--stack", self.stack.name, "kube", "--", *arguments]
        done = subprocess.run(command, cwd=self.stack.folder, env=self.stack.environment,
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout

    def environment(self):
        kubeconfig = next(pathlib.Path(self.stack.environment["ALTINN_LOCAL_HOME"]).rglob("*.kubeconfig"))
        quiet = {"TILT_DISABLE_ANALYTICS": "1", "DO_NOT_TRACK": "1", "SKAFFOLD_UPDATE_CHECK": "false"}
        return {**os.environ, **quiet, "KUBECONFIG": str(kubeconfig)}

    def registry(self):
        config = self.kube("-n", "kube-public", "get", "configmap", "local-registry-hosting", "-o", "json")
        lines = json.loads(config)["data"]["localRegistryHosting.v1"].splitlines()
        return next(line.split(":", 1)[1].strip().strip('"') for line in lines if line.startswith("host:"))

    def start(self):
        # Into a file: nobody reads it, and a full pipe would stop the tool.
        log = (self.folder.parent / f"{self.name}.log").open("w", encoding="utf-8")
        self.process = subprocess.Popen(self.command(), cwd=self.folder, env=self.environment(), stdout=log, stderr=log)
        address = self.address()
        end = time.monotonic() + 600
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{address}/bench.txt", timeout=5):
                    return address
            except OSError:
                time.sleep(0.5)
        raise SystemExit(f"error: {self.name} did not come up; see {log.name}")

    def address(self):
        status = self.stack.run("status")
        urls = [url for one in status["resources"] for url in one.get("urls", []) if url.rstrip("/").endswith("/ttd/bench")]
        return urls[0].rstrip("/").removesuffix("/bench") + f"/{self.name}"

    def save_value(self, mark):
        text = MANIFEST.format(name=self.name)
        return replace(self.folder / "bench.yaml", text.replace('value: "none"', f'value: "{mark}"'))

    def ready(self, _case):
        """There are no modes."""

    def shipped(self):
        return []

    def kill_pod(self, pod):
        self.kube("delete", "pod", pod, "--wait=false", "--grace-period=0", "--force")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
        self.kube("delete", "deployment,service,ingressroute", self.name, "--ignore-not-found")


class Tilt(Rival):
    """Registry and live update; values are an edit of the manifest."""

    name = "tilt"

    def configure(self):
        self.write("bench.yaml", MANIFEST.format(name=self.name))
        self.write("Tiltfile", TILTFILE.format(name=self.name))

    def command(self):
        return ["tilt", "up", "--stream", "--port", "0"]


class Skaffold(Rival):
    """Registry and manual sync, noticed without its pause of a second."""

    name = "skaffold"

    def configure(self):
        self.write("bench.yaml", MANIFEST.format(name=self.name))
        self.write("skaffold.yaml", SKAFFOLD.format(name=self.name))

    def command(self):
        # It removes what others made when it may clean up.
        keep = ["--cleanup=false", "--no-prune=true", "--no-prune-children=true"]
        return ["skaffold", "dev", "--default-repo", self.registry(), "--trigger=notify", "--watch-poll-interval=100", *keep]


class Compose(Rival):
    """No Kubernetes, no router: a lower bound."""

    name = "compose"
    cases = ["a", "b'", "d", "e"]
    port = 18805

    def configure(self):
        self.write("compose.yaml", COMPOSE.format(port=self.port))

    def command(self):
        return ["docker", "compose", "-p", f"bench-{self.stack.name}", "up", "--build", "--watch"]

    def address(self):
        return f"http://127.0.0.1:{self.port}/ttd/{self.name}"

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
        subprocess.run(["docker", "compose", "-p", f"bench-{self.stack.name}", "down", "--rmi", "local"],
                       cwd=self.folder, check=False)


def on_path(stack):
    """Those whose programs are here."""
    found = [kind(stack) for kind, program in ((Tilt, "tilt"), (Skaffold, "skaffold")) if shutil.which(program)]
    compose = ["docker", "compose", "version"]
    if shutil.which("docker") and subprocess.run(compose, capture_output=True, check=False).returncode == 0:
        found.append(Compose(stack))
    return found
