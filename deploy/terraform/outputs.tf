output "lake_url" {
  description = "TAXI_LAKE_URL."
  value       = trimsuffix("gs://${google_storage_bucket.lake.name}/${var.lake_prefix}", "/")
}

output "warehouse_url" {
  description = "TAXI_WAREHOUSE_URL."
  value       = "bigquery://${var.project}/${google_bigquery_dataset.taxi.dataset_id}?location=${var.location}"
}

output "logs_bucket" {
  description = "The bucket in compute_logs of dagster.yaml or computeLogManager of the Helm values."
  value       = google_storage_bucket.logs.name
}

output "runner" {
  description = "Account of the code server and of the runs; also for TAXI_GCP_IMPERSONATE."
  value       = google_service_account.runner.email
}

output "dagster" {
  description = "Account of the web server and the daemon."
  value       = google_service_account.dagster.email
}

output "reader" {
  description = "Account that reads the lake and the warehouse and changes nothing."
  value       = google_service_account.reader.email
}

output "database_host" {
  description = "Private address of the PostgreSQL for Dagster's records; null without cluster_region."
  value       = one(module.cluster[*].database_host)
}

output "images" {
  description = "Address of the repository of images, without the image's name; null without cluster_region."
  value       = one(module.cluster[*].images)
}
