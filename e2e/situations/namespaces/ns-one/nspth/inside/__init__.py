NAME = "pth"
