# The platform creates its tables, with descriptions, partitions and clustering.

resource "google_bigquery_dataset" "taxi" {
  dataset_id    = var.dataset
  friendly_name = "New York taxi trips"
  description   = "TLC's trip records: <dataset>_trips and <dataset>_rejects, partitioned by month (source_month), and taxi_zones. Written by taxi_assets."
  location      = var.location

  delete_contents_on_destroy = false
  max_time_travel_hours      = 168

  labels = {
    managed_by = "taxi_assets"
  }

  depends_on = [google_project_service.needed]

  lifecycle {
    prevent_destroy = true
  }
}
