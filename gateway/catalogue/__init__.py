"""The catalogue of datasets in the forms that others read: DCAT-AP, CKAN, schema.org and the Dataspace Protocol."""
