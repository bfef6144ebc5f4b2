"""Adobe: files for Campaign, Ad Cloud and Audience Manager, and files of Analytics."""
