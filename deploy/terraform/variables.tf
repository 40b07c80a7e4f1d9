variable "project" {
  type        = string
  description = "The Google Cloud project that everything is made in. It must have billing."
}

variable "location" {
  type        = string
  default     = "US"
  description = "Where the buckets and the dataset are: a region (us-east4) or a multi-region (US). BigQuery loads only within one location, and none of them can be moved later."
}

variable "lake_bucket" {
  type        = string
  default     = null
  description = "Name of the lake's bucket, unique in the world; by default <project>-taxi-lake."
}

variable "lake_prefix" {
  type        = string
  default     = ""
  description = "The prefix in TAXI_LAKE_URL, with a slash at its end; empty for gs://bucket."

  validation {
    condition     = var.lake_prefix == "" || can(regex("^[^/].*/$", var.lake_prefix))
    error_message = "The prefix ends with a slash and does not begin with one, such as nyc/."
  }
}

variable "logs_bucket" {
  type        = string
  default     = null
  description = "Name of the bucket for what the runs print; by default <project>-taxi-logs."
}

variable "dataset" {
  type        = string
  default     = "nyc_taxi"
  description = "The BigQuery dataset in TAXI_WAREHOUSE_URL."
}

variable "staging_days" {
  type        = number
  default     = 30
  description = "Days after which cleaned months leave the staging zone. They are published by then, and made again by materialising clean_trips."
}

variable "undelete_days" {
  type        = number
  default     = 30
  description = "Days for which a deleted or overwritten object of the lake can be restored (soft delete, 7 to 90)."
}

variable "logs_days" {
  type        = number
  default     = 90
  description = "Days for which what the runs print is kept."
}

variable "readers" {
  type        = list(string)
  default     = []
  description = "Who may act as the reading account, such as group:analysts@example.com."
}

variable "kubernetes_namespace" {
  type        = string
  default     = null
  description = "Namespace of the Helm release on GKE, such as taxi, whose service accounts act as the runner and as Dagster (Workload Identity). Null without GKE: the pool that the binding names exists once the project has a cluster."
}
