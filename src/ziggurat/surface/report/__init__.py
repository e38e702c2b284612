"""One HTML file that opens offline: what a study found, its pictures and the numbers behind them."""
