from django import template

register = template.Library()


@register.filter
def twice(word):
    return word * 2
