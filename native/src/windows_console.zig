//! The output of a Windows program of the graphical subsystem, which has no console: messages go to the parent's
//! console, and errors to a message box if there is none.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const windows = std.os.windows;
const pe = @import("pe.zig");

const is_windows = builtin.os.tag == .windows;

/// How the output was opened.
pub const Output = enum { was_there, attached, none };

/// Opens standard output and error, if possible.
pub fn openOutput() Output {
    if (!is_windows or !isWindowed() or isUsable(windows.STD_ERROR_HANDLE)) return .was_there;
    const parent: windows.DWORD = 0xffff_ffff; // ATTACH_PARENT_PROCESS
    if (AttachConsole(parent) == 0) return .none;
    const console = openConsole() orelse {
        _ = FreeConsole();
        return .none;
    };
    for ([_]windows.DWORD{ windows.STD_OUTPUT_HANDLE, windows.STD_ERROR_HANDLE }) |name| {
        if (!isUsable(name)) _ = SetStdHandle(name, console);
    }
    return .attached;
}

/// Undoes `openOutput`: when a console is closed, the system ends all attached processes.
pub fn closeOutput(output: Output) void {
    if (!is_windows or output != .attached) return;
    for ([_]windows.DWORD{ windows.STD_OUTPUT_HANDLE, windows.STD_ERROR_HANDLE }) |name| _ = SetStdHandle(name, null);
    _ = FreeConsole();
}

/// Shows `text` in a message box and waits until it is closed. Does nothing without a screen.
pub fn showError(title: []const u8, text: []const u8) void {
    if (!is_windows) return;
    var title_buffer: [256]u16 = undefined;
    var text_buffer: [text_length_max + 1]u16 = undefined;
    // user32.dll is loaded here only, because loading it takes time at each start.
    const system_directory_only = 0x800; // LOAD_LIBRARY_SEARCH_SYSTEM32
    const library = windows.kernel32.LoadLibraryExW(std.unicode.utf8ToUtf16LeStringLiteral("user32.dll"), null, system_directory_only) orelse return;
    const found = windows.kernel32.GetProcAddress(library, "MessageBoxW") orelse return;
    const messageBox: *const MessageBoxW = @ptrCast(@alignCast(found));
    const error_in_front = 0x10 | 0x10000; // MB_ICONERROR | MB_SETFOREGROUND
    _ = messageBox(null, wide(&text_buffer, text), wide(&title_buffer, title), error_in_front);
}

/// The longest text of a message box, in bytes.
pub const text_length_max = 8 << 10;

const MessageBoxW = fn (?windows.HANDLE, [*:0]const u16, [*:0]const u16, c_uint) callconv(.winapi) c_int;

extern "kernel32" fn AttachConsole(process: windows.DWORD) callconv(.winapi) windows.BOOL;
extern "kernel32" fn FreeConsole() callconv(.winapi) windows.BOOL;
extern "kernel32" fn SetStdHandle(name: windows.DWORD, handle: ?windows.HANDLE) callconv(.winapi) windows.BOOL;
extern "kernel32" fn GetStdHandle(name: windows.DWORD) callconv(.winapi) ?windows.HANDLE;
extern "kernel32" fn GetFileType(handle: windows.HANDLE) callconv(.winapi) windows.DWORD;

/// Whether this program belongs to the graphical subsystem, according to its headers in memory.
fn isWindowed() bool {
    const image: [*]const u8 = @ptrCast(windows.peb().ImageBaseAddress);
    // The headers take at least a page.
    return pe.isWindowed(image[0..pe.head_length_max]);
}

fn isUsable(name: windows.DWORD) bool {
    const handle = GetStdHandle(name) orelse return false;
    const unknown_type = 0; // FILE_TYPE_UNKNOWN
    return handle != windows.INVALID_HANDLE_VALUE and GetFileType(handle) != unknown_type;
}

fn openConsole() ?windows.HANDLE {
    const handle = windows.kernel32.CreateFileW(
        std.unicode.utf8ToUtf16LeStringLiteral("CONOUT$"),
        windows.GENERIC_READ | windows.GENERIC_WRITE,
        windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE,
        null,
        windows.OPEN_EXISTING,
        0,
        null,
    );
    return if (handle == windows.INVALID_HANDLE_VALUE) null else handle;
}

/// `text` as UTF-16. Invalid UTF-8 is replaced, and text beyond `buffer` is cut off.
fn wide(buffer: []u16, text: []const u8) [*:0]const u16 {
    var length: usize = 0;
    var at: usize = 0;
    while (at < text.len) {
        const size: usize = std.unicode.utf8ByteSequenceLength(text[at]) catch 0;
        const rest = text[at..@min(at + @max(size, 1), text.len)];
        const character = if (rest.len == size) std.unicode.utf8Decode(rest) catch 0xfffd else 0xfffd;
        if (length + 2 >= buffer.len) break;
        if (character > 0xffff) {
            buffer[length] = @intCast(0xd800 + ((character - 0x10000) >> 10));
            buffer[length + 1] = @intCast(0xdc00 + ((character - 0x10000) & 0x3ff));
            length += 2;
        } else {
            buffer[length] = @intCast(character);
            length += 1;
        }
        at += rest.len;
    }
    buffer[length] = 0;
    return buffer[0..length :0];
}

test "text for a message box is valid UTF-16" {
    var buffer: [12]u16 = undefined;
    const cases = [_]struct { []const u8, []const u16 }{
        .{ "a\né", &.{ 'a', '\n', 0xe9 } },
        .{ "\xff\xe2\x82", &.{ 0xfffd, 0xfffd } },
        .{ "🐄", &.{ 0xd83d, 0xdc04 } },
        .{ "0123456789abcdef", &.{ '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' } },
    };
    for (cases) |case| try testing.expectEqualSlices(u16, case[1], std.mem.span(wide(&buffer, case[0])));
}
