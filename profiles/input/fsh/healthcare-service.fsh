Profile: HubHealthcareService
Parent: HealthcareService
Id: healthcare-service
Title: "Service"
Description: "One kind of help at one place, with whether it can take somebody. Asked for without any data of a person."
* extension contains HubServiceCapacity named capacity 0..1 MS
* active 1..1 MS
* providedBy 1..1 MS
* type 1..* MS
* type from HubServiceDomainCodes (extensible)
* location MS
* name MS
* eligibility MS
* communication MS
* appointmentRequired MS
