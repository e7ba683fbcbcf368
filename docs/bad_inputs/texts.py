"""The texts among the bad inputs that are more than a line of the catalogue."""

PLAIN = "Id,Name,Amount\n1,a,10\n2,b,20\n"
PRICES = "Id,Name,Amount\n1,5 €,10\n2,café,20\n"


def open_quote() -> str:
    """20,000 rows; a quote opens in the first of them."""
    rows = [f"{number},name {number},{number}\n" for number in range(2, 20_001)]
    return "".join(['Id,Name,Amount\n1,"never closed,1\n', *rows])


def cut(content: bytes) -> bytes:
    """The first 90 % of it."""
    return content[: len(content) * 9 // 10]
