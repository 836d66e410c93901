"""The tables of the hub by what they are about; `referral_hub.store.schema` names them all."""
