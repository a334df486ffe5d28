"""What svcdoctor costs, measured against a yardstick of the same run: ``make bench``."""
