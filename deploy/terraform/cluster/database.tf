# PostgreSQL for Dagster's records: runs, events, ticks. The user is created with gcloud, so that
# its password is not in Terraform's state (docs/cluster.md).

resource "google_sql_database_instance" "dagster" {
  name             = "taxi-dagster"
  region           = var.region
  database_version = "POSTGRES_17"

  settings {
    edition = "ENTERPRISE"       # the default of this version, Enterprise Plus, has no small machines
    tier    = "db-custom-1-3840" # 1 processor, 3.75 GB

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.taxi.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
    }
  }

  # Terraform refuses to delete it, as long as this is true.
  deletion_protection = true

  depends_on = [google_service_networking_connection.services]
}

resource "google_sql_database" "dagster" {
  name     = "dagster"
  instance = google_sql_database_instance.dagster.name
}
