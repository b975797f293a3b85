"""What must hold of the manifests before anybody applies them. `../check` runs it."""
