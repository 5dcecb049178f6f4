"""The gateway as a register office under the Personal Data Protection Act and the Official Information Act."""
