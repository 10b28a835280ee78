# The images as they are published, for both platforms and with the tags of a version:
#
#   REGISTRY=ghcr.io/ACCOUNT VERSION=1.2.3 NODE_IMAGE=node:24-slim@sha256:... docker buildx bake --file docker-bake.hcl --push
#
# .github/workflows/release.yml does it for a tag. `--print` instead of `--push` shows what would be built.

variable "REGISTRY" {
  default = "localhost"
}
variable "VERSION" {
  default = "0.0.0"
}
variable "REVISION" {
  default = ""
}
variable "CREATED" {
  default = ""
}
variable "NODE_IMAGE" {
  default = "node:24-slim"
}

# 1.2.3 is also 1.2 and 1; a candidate is itself alone.
function "tags" {
  params = [name]
  result = length(regexall("-", VERSION)) > 0 ? ["${REGISTRY}/${name}:${VERSION}"] : [
    "${REGISTRY}/${name}:${VERSION}",
    "${REGISTRY}/${name}:${join(".", slice(split(".", VERSION), 0, 2))}",
    "${REGISTRY}/${name}:${split(".", VERSION)[0]}",
  ]
}

group "default" {
  targets = ["service", "demo"]
}

target "image" {
  platforms = ["linux/amd64", "linux/arm64"]
  args = {
    # An error without a digest (scripts/pin-images.mjs prints it): nobody could say later what was published.
    NODE_IMAGE = regex("^.+@sha256:[0-9a-f]{64}$", NODE_IMAGE)
    VERSION    = regex("^[0-9]+\\.[0-9]+\\.[0-9]+(?:-[0-9A-Za-z.-]+)?$", VERSION)
    REVISION   = REVISION
    CREATED    = CREATED
  }
  attest = ["type=provenance,mode=max", "type=sbom"]
}

target "service" {
  inherits = ["image"]
  target   = "service"
  tags     = tags("patron-passport")
}

target "demo" {
  inherits = ["image"]
  target   = "demo"
  tags     = tags("patron-passport-demo")
}
