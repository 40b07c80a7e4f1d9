# Autopilot: nodes come and go with the pods, and Workload Identity is always on.

resource "google_service_account" "nodes" {
  account_id   = "taxi-nodes"
  display_name = "Taxi: nodes of the cluster"
}

resource "google_project_iam_member" "nodes" {
  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_container_cluster" "taxi" {
  name             = "taxi"
  location         = var.region
  network          = google_compute_network.taxi.id
  subnetwork       = google_compute_subnetwork.taxi.id
  enable_autopilot = true

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  # Terraform refuses to delete it, as long as this is true.
  deletion_protection = true

  depends_on = [google_project_iam_member.nodes]
}
