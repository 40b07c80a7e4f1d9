# Service accounts without keys, and their roles. All grants are additive: other grants on the
# project, bucket or dataset are not changed.

locals {
  # docs/grants.md says what each role is for; a test compares the two. The cluster's nodes are in
  # cluster/kubernetes.tf.
  grants = {
    runner = {
      lake    = ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]
      logs    = ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]
      dataset = ["roles/bigquery.dataEditor"]
      project = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"]
    }
    dagster = {
      logs = ["roles/storage.objectUser", "roles/storage.legacyBucketReader"]
    }
    reader = {
      lake    = ["roles/storage.objectViewer"]
      dataset = ["roles/bigquery.dataViewer"]
      project = ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"]
    }
  }

  accounts = {
    runner  = google_service_account.runner
    dagster = google_service_account.dagster
    reader  = google_service_account.reader
  }

  buckets = {
    lake = google_storage_bucket.lake
    logs = google_storage_bucket.logs
  }

  # One element for each account, resource and role.
  granted = flatten([
    for account, resources in local.grants : [
      for on, roles in resources : [
        for role in roles : { account = account, on = on, role = role }
      ]
    ]
  ])
}

resource "google_service_account" "runner" {
  account_id   = "taxi-runner"
  display_name = "Taxi: code server and runs"
  depends_on   = [google_project_service.needed]
}

resource "google_service_account" "dagster" {
  account_id   = "taxi-dagster"
  display_name = "Taxi: Dagster's web server and daemon"
  depends_on   = [google_project_service.needed]
}

resource "google_service_account" "reader" {
  account_id   = "taxi-reader"
  display_name = "Taxi: reads the lake and the warehouse"
  depends_on   = [google_project_service.needed]
}

resource "google_storage_bucket_iam_member" "granted" {
  for_each = {
    for grant in local.granted : "${grant.account} ${grant.on} ${grant.role}" => grant
    if contains(keys(local.buckets), grant.on)
  }

  bucket = local.buckets[each.value.on].name
  role   = each.value.role
  member = local.accounts[each.value.account].member
}

resource "google_bigquery_dataset_iam_member" "granted" {
  for_each = {
    for grant in local.granted : "${grant.account} ${grant.role}" => grant if grant.on == "dataset"
  }

  dataset_id = google_bigquery_dataset.taxi.dataset_id
  role       = each.value.role
  member     = local.accounts[each.value.account].member
}

resource "google_project_iam_member" "granted" {
  for_each = {
    for grant in local.granted : "${grant.account} ${grant.role}" => grant if grant.on == "project"
  }

  project = var.project
  role    = each.value.role
  member  = local.accounts[each.value.account].member
}

# Impersonation (TAXI_GCP_IMPERSONATE) by people, instead of keys.
resource "google_service_account_iam_member" "reader_impersonation" {
  for_each = toset(var.readers)

  service_account_id = google_service_account.reader.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.key
}

# Workload Identity on GKE. The Kubernetes accounts of deploy/helm/values.yaml have the same names.
resource "google_service_account_iam_member" "workload_identity" {
  for_each = var.kubernetes_namespace == null ? toset([]) : toset(["runner", "dagster"])

  service_account_id = local.accounts[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${var.kubernetes_namespace}/${local.accounts[each.key].account_id}]"

  depends_on = [module.cluster] # before the first cluster the project has no pool of identities
}
