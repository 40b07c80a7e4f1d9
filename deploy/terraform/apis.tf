resource "google_project_service" "needed" {
  for_each = toset([
    "bigquery.googleapis.com",
    "bigquerystorage.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com", # Workload Identity and impersonation
    "storage.googleapis.com",
  ])

  service            = each.key
  disable_on_destroy = false
}
