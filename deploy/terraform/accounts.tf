# Three service accounts without keys, and their roles. docs/gcp.md explains every role.
# All grants are additive: other grants on the project, bucket or dataset are not changed.

# --------------------------------------------------------------- the runner: downloads, cleans, loads

resource "google_service_account" "runner" {
  account_id   = "taxi-runner"
  display_name = "Taxi: code server and runs"
  depends_on   = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "runner_lake" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectUser"
  member = google_service_account.runner.member
}

resource "google_bigquery_dataset_iam_member" "runner_warehouse" {
  dataset_id = google_bigquery_dataset.taxi.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.runner.member
}

# Jobs and read sessions belong to a project, not to a dataset; neither role gives access to data.
resource "google_project_iam_member" "runner_jobs" {
  for_each = toset(["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"])

  project = var.project
  role    = each.key
  member  = google_service_account.runner.member
}

# ------------------------------------------------------- Dagster: web server and daemon, and the logs

resource "google_service_account" "dagster" {
  account_id   = "taxi-dagster"
  display_name = "Taxi: Dagster's web server and daemon"
  depends_on   = [google_project_service.needed]
}

# For writing and showing logs. objectUser: partial logs are overwritten repeatedly.
# legacyBucketReader: Dagster checks at its start whether the bucket exists (storage.buckets.get),
# and this is the smallest predefined role on a bucket that permits it.
resource "google_storage_bucket_iam_member" "logs" {
  for_each = {
    for pair in setproduct(
      ["dagster", "runner"],
      ["roles/storage.objectUser", "roles/storage.legacyBucketReader"],
    ) : join(" ", pair) => { account = pair[0], role = pair[1] }
  }

  bucket = google_storage_bucket.logs.name
  role   = each.value.role
  member = local.accounts[each.value.account].member
}

# --------------------------------------------------------------- the reader: notebooks and dashboards

resource "google_service_account" "reader" {
  account_id   = "taxi-reader"
  display_name = "Taxi: reads the lake and the warehouse"
  depends_on   = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "reader_lake" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.reader.member
}

resource "google_bigquery_dataset_iam_member" "reader_warehouse" {
  dataset_id = google_bigquery_dataset.taxi.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.reader.member
}

resource "google_project_iam_member" "reader_jobs" {
  for_each = toset(["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"])

  project = var.project
  role    = each.key
  member  = google_service_account.reader.member
}

# Impersonation (TAXI_GCP_IMPERSONATE) by people, instead of keys.
resource "google_service_account_iam_member" "reader_impersonation" {
  for_each = toset(var.readers)

  service_account_id = google_service_account.reader.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.key
}

# ------------------------------------------------------------------------- Workload Identity on GKE

locals {
  accounts = {
    runner  = google_service_account.runner
    dagster = google_service_account.dagster
  }
}

# The Kubernetes accounts of deploy/helm/values.yaml have the same names.
resource "google_service_account_iam_member" "workload_identity" {
  for_each = {
    for name, account in local.accounts : name => account if var.kubernetes_namespace != null
  }

  service_account_id = each.value.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${var.kubernetes_namespace}/${each.value.account_id}]"
}
