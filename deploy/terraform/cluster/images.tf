resource "google_artifact_registry_repository" "taxi" {
  repository_id = "taxi"
  location      = var.region
  format        = "DOCKER"
  description   = "The image of taxi_assets."
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  location   = google_artifact_registry_repository.taxi.location
  repository = google_artifact_registry_repository.taxi.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}
