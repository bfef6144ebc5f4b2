"""The Schema page: fields, mappings, identifiers, their text form, versions, and what is not published yet."""
