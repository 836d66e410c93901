Profile: HubConfidentialLocation
Parent: Location
Id: confidential-location
Title: "Place that is kept secret"
Description: "A place known by a code name. Nothing in it says where it is or how to get there."
* status MS
* name 1..1 MS
* name ^short = "A code name"
* alias 0..0
* description 0..0
* telecom 0..0
* address 0..0
* position 0..0
* partOf 0..0
* hoursOfOperation 0..0
* endpoint 0..0
* managingOrganization 1..1 MS
