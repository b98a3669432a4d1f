import calendar

value = calendar.SUNDAY
print("ran", value)
