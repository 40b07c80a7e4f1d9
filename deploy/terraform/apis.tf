# Terraform itself needs cloudresourcemanager.googleapis.com and serviceusage.googleapis.com, which
# gcloud enables (docs/cluster.md).
resource "google_project_service" "needed" {
  for_each = toset(concat(
    [
      "bigquery.googleapis.com",
      "bigquerystorage.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com", # Workload Identity and impersonation
      "storage.googleapis.com",
    ],
    var.cluster_region == null ? [] : [
      "artifactregistry.googleapis.com",
      "compute.googleapis.com",
      "container.googleapis.com",
      "servicenetworking.googleapis.com", # the database's private address
      "sqladmin.googleapis.com",
    ],
  ))

  service            = each.key
  disable_on_destroy = false
}
