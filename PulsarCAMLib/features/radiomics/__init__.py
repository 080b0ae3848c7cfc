"""Radiomics features of a lesion by the IBSI's definitions; the library that computes them is known in one file."""
