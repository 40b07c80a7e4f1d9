variable "project" {
  type        = string
  description = "The Google Cloud project for all resources. It must have billing."
}

variable "location" {
  type        = string
  default     = "US"
  description = "Location of the buckets and the dataset: a region (us-east4) or a multi-region (US). BigQuery loads only within one location, and none of them can be moved later."
}

variable "lake_bucket" {
  type        = string
  default     = null
  description = "Globally unique name of the lake's bucket; by default <project>-taxi-lake."
}

variable "lake_prefix" {
  type        = string
  default     = ""
  description = "The prefix in TAXI_LAKE_URL with a trailing slash; empty for gs://bucket."

  validation {
    condition     = var.lake_prefix == "" || can(regex("^[^/].*/$", var.lake_prefix))
    error_message = "The prefix must end with a slash and not begin with one, such as nyc/."
  }
}

variable "logs_bucket" {
  type        = string
  default     = null
  description = "Name of the bucket for the runs' logs; by default <project>-taxi-logs."
}

variable "dataset" {
  type        = string
  default     = "nyc_taxi"
  description = "The BigQuery dataset in TAXI_WAREHOUSE_URL."
}

variable "staging_days" {
  type        = number
  default     = 30
  description = "Days after which cleaned months are deleted from the staging zone. They are published by then; materializing clean_trips creates them again."
}

variable "undelete_days" {
  type        = number
  default     = 30
  description = "Days for which a deleted or overwritten object of the lake can be restored (soft delete, 7 to 90)."
}

variable "logs_days" {
  type        = number
  default     = 90
  description = "Days for which the runs' logs are kept."
}

variable "readers" {
  type        = list(string)
  default     = []
  description = "Members who may impersonate the reader account, such as group:analysts@example.com."
}

variable "cluster_region" {
  type        = string
  default     = null
  description = "Region of a GKE cluster, its PostgreSQL and its images, such as us-east4: docs/cluster.md. Null creates none of them."
}

variable "kubernetes_namespace" {
  type        = string
  default     = null
  description = "Namespace of the Helm release on GKE, such as taxi, whose service accounts act as the runner and as Dagster (Workload Identity). Null without GKE; with a cluster of yours, create that first, because the project has no pool of identities before."
}
