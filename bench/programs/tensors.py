"""Makes a tensor and sums it."""

import torch


def main() -> None:
    print(float(torch.arange(10.0).sum()))


if __name__ == "__main__":
    main()
