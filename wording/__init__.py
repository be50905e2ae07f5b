"""The words a person reads: catalogues, template environments, dates, and the personal sandbox."""
