"""The panel's section “Compare”: how the heat maps agree with what one sees in the MRI."""
