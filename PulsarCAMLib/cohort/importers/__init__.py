"""Public cohorts as a hospital would download them, as cohort tables: one module each, with the source of its layout.

No image is opened, but PROTEAS's masks where their cores are asked for. What was decided on the way (a row left out, a
rating that is none, an image or a mask that is not there) comes back as findings, and what could not be verified
without the data is said in the module.
"""
