# With cluster_region: a GKE cluster, PostgreSQL for Dagster's records, and a repository of images.

module "cluster" {
  count  = var.cluster_region == null ? 0 : 1
  source = "./cluster"

  project = var.project
  region  = var.cluster_region

  depends_on = [google_project_service.needed]
}
