# Installs czscie @VERSION@: downloads the executable for this system, checks its SHA-256 and puts it into a
# directory, by default ~\.local\bin.
#
#     .\install.ps1 [-Directory DIRECTORY]
#
# $env:CZSCIE_DOWNLOAD_URL is the URL of the directory with the release's files, in place of the release's own.

param([string] $Directory = (Join-Path $HOME '.local\bin'))

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'  # Windows PowerShell draws progress slower than it downloads

$version = '@VERSION@'
$url = if ($env:CZSCIE_DOWNLOAD_URL) { $env:CZSCIE_DOWNLOAD_URL } else { '@URL@' }
$digests = @{
@DIGESTS@
}

function Fail([string] $what, [string] $hint) {
    [Console]::Error.WriteLine("error: $what")
    [Console]::Error.WriteLine("hint: $hint")
    exit 1
}

function Find-Platform {
    # A 32-bit PowerShell has the machine's own architecture in the first variable.
    $machine = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    switch ($machine) {
        'AMD64' { 'windows-x86_64' }
        'ARM64' { 'windows-aarch64' }
        default { "windows-$machine" }
    }
}

if (-not $url) { Fail 'there is no URL to download from' 'set $env:CZSCIE_DOWNLOAD_URL' }
$platform = Find-Platform
$expected = $digests[$platform]
if (-not $expected) {
    Fail "there is no executable of czscie for $platform" 'pip install czscie'
}

[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 'Tls12'
$source = "$($url.TrimEnd('/'))/czscie-$platform.exe"
$downloaded = Join-Path ([IO.Path]::GetTempPath()) "czscie-install-$PID.exe"
$partial = Join-Path $Directory ".czscie-$PID.exe"
$target = Join-Path $Directory 'czscie.exe'
try {
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $source -OutFile $downloaded
    } catch {
        Fail "cannot download ${source}: $($_.Exception.Message)" 'set $env:CZSCIE_DOWNLOAD_URL to a directory that has it'
    }
    $found = (Get-FileHash -Algorithm SHA256 -LiteralPath $downloaded).Hash.ToLowerInvariant()
    if ($found -ne $expected) {
        Fail "$source is not the file of this release: SHA-256 $found, expected $expected" 'run it again with the install.ps1 that is beside the file'
    }
    Write-Output "Downloaded $source (SHA-256 $found)"
    try {
        New-Item -ItemType Directory -Force -Path $Directory | Out-Null
        Copy-Item -LiteralPath $downloaded -Destination $partial
        Move-Item -Force -LiteralPath $partial -Destination $target
    } catch {
        Fail "cannot write ${target}: $($_.Exception.Message)" '.\install.ps1 -Directory DIRECTORY'
    }
} finally {
    Remove-Item -Force -ErrorAction SilentlyContinue -LiteralPath $downloaded, $partial
}
Write-Output "Installed czscie ${version}: $target"
if (($env:PATH -split ';') -notcontains $Directory) {
    Write-Output "$Directory is not in PATH: `$env:PATH = `"$Directory;`$env:PATH`""
}
