"""A model's papers in the forms that others read; one file a form."""
