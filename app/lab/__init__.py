"""The β laboratory: one synthetic heatmap, every heatmap decoder on it, and their bias."""
