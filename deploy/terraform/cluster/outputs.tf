output "database_host" {
  description = "The database's private address."
  value       = google_sql_database_instance.dagster.private_ip_address
}

output "images" {
  description = "Address of the repository of images."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.taxi.repository_id}"
}
