# A network in which pods reach the database at a private address.
# https://cloud.google.com/sql/docs/postgres/configure-private-services-access

resource "google_compute_network" "taxi" {
  name                    = "taxi"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "taxi" {
  name                     = "taxi"
  region                   = var.region
  network                  = google_compute_network.taxi.id
  ip_cidr_range            = "10.10.0.0/20"
  private_ip_google_access = true
}

# Reserved for Google's services, here Cloud SQL.
resource "google_compute_global_address" "services" {
  name          = "taxi-services"
  network       = google_compute_network.taxi.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.taxi.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}
