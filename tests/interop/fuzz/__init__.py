"""An OpenAPI document made of a hub's CapabilityStatement, and what every answer must be like."""
