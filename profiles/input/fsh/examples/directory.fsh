Instance: clinic
InstanceOf: HubOrganization
Usage: #example
Title: "A clinic"
* active = true
* type[kind] = HubOrganizationType#clinic
* name = "River Clinic"
* address.city = "Nowhere"

Instance: shelter
InstanceOf: HubOrganization
Usage: #example
Title: "A shelter: no address"
* active = true
* type[kind] = HubOrganizationType#shelter
* name = "House by the Mill"

Instance: wound-care
InstanceOf: HubHealthcareService
Usage: #example
Title: "Wound care, with a waiting list"
* extension[capacity].extension[status].valueCode = #waitlist
* extension[capacity].extension[as-of].valueDateTime = "2026-11-20T07:00:00Z"
* active = true
* providedBy = Reference(Organization/clinic)
* type = HubServiceDomain#medical-care
* name = "Wound care"

Instance: the-third-door
InstanceOf: HubConfidentialLocation
Usage: #example
Title: "A place known by a code name"
* status = #active
* name = "The third door"
* managingOrganization = Reference(Organization/shelter)
