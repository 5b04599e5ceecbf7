"""Top-down networks with the authors' own parameter names: SimpleBaseline and HRNet, 17 joints of COCO."""
