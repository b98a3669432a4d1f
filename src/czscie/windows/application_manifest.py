"""An application manifest: the requirements of a program to Windows.

Source: https://learn.microsoft.com/windows/win32/sbscs/application-manifests.
"""

from __future__ import annotations

from czscie.windows.resources import MANIFEST, Resource

#: By what lift.windows.dpi_awareness says: `dpiAware`, which Windows 8.1 knows, and `dpiAwareness`.
_DPI = {
    "unaware": ("false", "unaware"),
    "system": ("true", "system"),
    "PerMonitor": ("true/pm", "PerMonitor"),
    "PerMonitorV2": ("true/pm", "PerMonitorV2, PerMonitor"),
}

_TEXT = """\
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3">
    <security>
      <requestedPrivileges>
        <requestedExecutionLevel level="{level}" uiAccess="false"/>
      </requestedPrivileges>
    </security>
  </trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1">
    <application>
      <supportedOS Id="{{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}}"/>
      <supportedOS Id="{{1f676c76-80e1-4239-95bb-83d0f6d0da78}}"/>
    </application>
  </compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3">
    <windowsSettings>
{dpi}\
      <longPathAware xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">true</longPathAware>
      <activeCodePage xmlns="http://schemas.microsoft.com/SMI/2019/WindowsSettings">UTF-8</activeCodePage>
    </windowsSettings>
  </application>
</assembly>
"""

_DPI_TEXT = """\
      <dpiAware xmlns="http://schemas.microsoft.com/SMI/2005/WindowsSettings">{}</dpiAware>
      <dpiAwareness xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">{}</dpiAwareness>
"""


def manifest_resource(execution_level: str, dpi_awareness: str | None) -> Resource:
    """One of EXECUTION_LEVELS, and one of DPI_AWARENESSES or None to leave it out."""
    dpi = "" if dpi_awareness is None else _DPI_TEXT.format(*_DPI[dpi_awareness])
    return Resource(MANIFEST, 1, _TEXT.format(level=execution_level, dpi=dpi).encode())
