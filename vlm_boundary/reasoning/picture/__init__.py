"""What a chain says otherwise than its question tells of the picture."""
