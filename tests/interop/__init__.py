"""Against what this project did not write: client libraries, servers, validators."""
