# The buckets of the lake and of the runs' logs. Both are always private.

resource "google_storage_bucket" "lake" {
  name     = coalesce(var.lake_bucket, "${var.project}-taxi-lake")
  location = var.location

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # Protects against overwriting and deleting and, unlike versioning, expires by itself.
  soft_delete_policy {
    retention_duration_seconds = var.undelete_days * 24 * 60 * 60
  }

  lifecycle_rule {
    condition {
      age            = var.staging_days
      matches_prefix = ["${var.lake_prefix}staging/"]
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  depends_on = [google_project_service.needed]

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_storage_bucket" "logs" {
  name     = coalesce(var.logs_bucket, "${var.project}-taxi-logs")
  location = var.location

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  lifecycle_rule {
    condition {
      age = var.logs_days
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.needed]
}
