//! Regular expressions over bytes, for the names of variables: a part of the syntax of Rust's regex crate, in time
//! linear in the text (Thompson's simulation: https://swtch.com/~rsc/regexp/regexp1.html).
//!
//!     a  .  [a-z]  [^a]  [[:alpha:]]  \d \w \s \D \W \S  \.  \x41  ^ $ \A \z \b \B
//!     (a)  (?:a)  (?P<name>a)  (?i)a  (?s:a)  a|b  a* a+ a? a{2} a{2,} a{2,5}, and each of these with ?
//!
//! Patterns are ASCII, and so are classes; `.` is any byte but a line feed. Everything else is refused.
//! czscie.scie.regular_expression refuses the same when it builds.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

pub const Error = error{ InvalidExpression, OutOfMemory };

const depth_max = 50;
/// Of `a{2,5}`.
const repetition_max = 1000;
/// Nodes, with repetitions written out.
const size_max = 4096;

const Set = std.StaticBitSet(256);

const Assertion = enum { start, end, word_boundary, no_word_boundary };

const Node = struct {
    kind: Kind,
    /// How many nodes it takes with its repetitions written out.
    size: u32,

    const Kind = union(enum) {
        set: Set,
        assertion: Assertion,
        sequence: []const Node,
        alternatives: []const Node,
        repetition: Repetition,
    };
};

const Repetition = struct { node: *const Node, min: u16, max: ?u16 };

const Flags = struct { ignore_case: bool = false, dot_all: bool = false };

const Parser = struct {
    arena: Allocator,
    pattern: []const u8,
    position: usize = 0,
    flags: Flags = .{},

    fn peek(parser: Parser) ?u8 {
        return if (parser.position < parser.pattern.len) parser.pattern[parser.position] else null;
    }

    fn next(parser: *Parser) Error!u8 {
        const found = parser.peek() orelse return error.InvalidExpression;
        parser.position += 1;
        return found;
    }

    fn accept(parser: *Parser, text: []const u8) bool {
        if (!std.mem.startsWith(u8, parser.pattern[parser.position..], text)) return false;
        parser.position += text.len;
        return true;
    }

    /// Up to the end of the pattern or of the group. Flags that it sets end with it.
    fn alternatives(parser: *Parser, depth: u8) Error!Node {
        if (depth == depth_max) return error.InvalidExpression;
        const flags = parser.flags;
        defer parser.flags = flags;
        var branches: std.ArrayList(Node) = .empty;
        var size: u32 = 1;
        while (true) {
            const branch = try parser.sequence(depth);
            size = try add(size, branch.size);
            try branches.append(parser.arena, branch);
            if (!parser.accept("|")) break;
        }
        return .{ .kind = .{ .alternatives = branches.items }, .size = size };
    }

    fn sequence(parser: *Parser, depth: u8) Error!Node {
        var nodes: std.ArrayList(Node) = .empty;
        var size: u32 = 1;
        while (parser.peek()) |character| {
            if (character == '|' or character == ')') break;
            const node = try parser.repeated(depth) orelse continue;
            size = try add(size, node.size);
            try nodes.append(parser.arena, node);
        }
        return .{ .kind = .{ .sequence = nodes.items }, .size = size };
    }

    /// Null for flags, which match nothing.
    fn repeated(parser: *Parser, depth: u8) Error!?Node {
        const node = try parser.atom(depth);
        const min: u16, const max: ?u16 = switch (parser.peek() orelse return node) {
            '*' => .{ 0, null },
            '+' => .{ 1, null },
            '?' => .{ 0, 1 },
            '{' => try parser.bounds(),
            else => return node,
        };
        const repeatable = node orelse return error.InvalidExpression;
        if (repeatable.kind == .assertion) return error.InvalidExpression;
        parser.position += 1;
        _ = parser.accept("?");
        if (parser.peek()) |character| switch (character) {
            '*', '+', '?', '{' => return error.InvalidExpression,
            else => {},
        };
        const times: u32 = @max(max orelse min, 1);
        const kept = try parser.arena.create(Node);
        kept.* = repeatable;
        return .{
            .kind = .{ .repetition = .{ .node = kept, .min = min, .max = max } },
            .size = try add(repeatable.size * times, 1),
        };
    }

    /// `{2}`, `{2,}` or `{2,5}` up to the closing brace.
    fn bounds(parser: *Parser) Error!struct { u16, ?u16 } {
        parser.position += 1;
        const min = try parser.number();
        if (parser.peek() == '}') return .{ min, min };
        if (!parser.accept(",")) return error.InvalidExpression;
        if (parser.peek() == '}') return .{ min, null };
        const max = try parser.number();
        if (parser.peek() != '}' or max < min) return error.InvalidExpression;
        return .{ min, max };
    }

    fn number(parser: *Parser) Error!u16 {
        const start = parser.position;
        while (parser.peek()) |character| : (parser.position += 1) if (!std.ascii.isDigit(character)) break;
        const digits = parser.pattern[start..parser.position];
        if (digits.len == 0 or digits.len > 4) return error.InvalidExpression;
        const found = std.fmt.parseUnsigned(u16, digits, 10) catch return error.InvalidExpression;
        return if (found <= repetition_max) found else error.InvalidExpression;
    }

    fn atom(parser: *Parser, depth: u8) Error!?Node {
        const character = try parser.next();
        return switch (character) {
            '(' => try parser.group(depth),
            '[' => ofSet(try parser.class()),
            '.' => dot: {
                var set: Set = .initFull();
                if (!parser.flags.dot_all) set.unset('\n');
                break :dot ofSet(set);
            },
            '^' => ofAssertion(.start),
            '$' => ofAssertion(.end),
            '\\' => try parser.escape(),
            '*', '+', '?', '{' => error.InvalidExpression,
            else => ofSet(parser.folded(try single(character))),
        };
    }

    fn group(parser: *Parser, depth: u8) Error!?Node {
        var flags = parser.flags;
        if (parser.accept("?P<") or parser.accept("?<")) {
            try parser.name();
        } else if (parser.accept("?")) {
            flags = try parser.groupFlags();
            if (parser.accept(")")) {
                parser.flags = flags;
                return null;
            }
            if (!parser.accept(":")) return error.InvalidExpression;
        }
        const outer = parser.flags;
        parser.flags = flags;
        defer parser.flags = outer;
        const inner = try parser.alternatives(depth + 1);
        return if (parser.accept(")")) inner else error.InvalidExpression;
    }

    fn name(parser: *Parser) Error!void {
        if (!std.ascii.isAlphabetic(parser.peek() orelse 0) and parser.peek() != '_') return error.InvalidExpression;
        while (parser.peek()) |character| : (parser.position += 1) if (!isWord(character)) break;
        if (!parser.accept(">")) return error.InvalidExpression;
    }

    /// `i`, `s`, and after `-` those that are unset.
    fn groupFlags(parser: *Parser) Error!Flags {
        var flags = parser.flags;
        var value = true;
        const start = parser.position;
        while (parser.peek()) |character| : (parser.position += 1) switch (character) {
            'i' => flags.ignore_case = value,
            's' => flags.dot_all = value,
            '-' => {
                if (!value) return error.InvalidExpression;
                value = false;
            },
            ')', ':' => break,
            else => return error.InvalidExpression,
        };
        const text = parser.pattern[start..parser.position];
        const is_empty = text.len == 0 and parser.peek() == ')';
        return if (is_empty or std.mem.endsWith(u8, text, "-")) error.InvalidExpression else flags;
    }

    fn escape(parser: *Parser) Error!Node {
        const character = try parser.next();
        return switch (character) {
            'A' => ofAssertion(.start),
            'z' => ofAssertion(.end),
            'b' => ofAssertion(.word_boundary),
            'B' => ofAssertion(.no_word_boundary),
            else => ofSet(try parser.escapedSet(character)),
        };
    }

    /// What the escape of `character` stands for, in a class and outside.
    fn escapedSet(parser: *Parser, character: u8) Error!Set {
        if (named(character)) |set| return set;
        return parser.folded(try single(try parser.escapedCharacter(character)));
    }

    fn escapedCharacter(parser: *Parser, character: u8) Error!u8 {
        return switch (character) {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'f' => 0x0c,
            'v' => 0x0b,
            'a' => 0x07,
            'x' => {
                const digits = parser.pattern[parser.position..][0..@min(2, parser.pattern.len - parser.position)];
                for (digits) |digit| if (!std.ascii.isHex(digit)) return error.InvalidExpression;
                if (digits.len < 2) return error.InvalidExpression;
                parser.position += 2;
                return std.fmt.parseUnsigned(u8, digits, 16) catch return error.InvalidExpression;
            },
            '0'...'9', 'A'...'Z', 'b'...'e', 'g'...'m', 'o'...'q', 's', 'u', 'w', 'y', 'z', '<', '>' => error.InvalidExpression,
            else => if (character > ' ' and character < 0x7f) character else error.InvalidExpression,
        };
    }

    /// After the bracket that opens it.
    fn class(parser: *Parser) Error!Set {
        const negated = parser.accept("^");
        var set: Set = .initEmpty();
        var first = true;
        while (first or parser.peek() != ']') : (first = false) {
            if (try parser.classSet()) |several| {
                if (parser.isRange()) return error.InvalidExpression;
                set.setUnion(several);
                continue;
            }
            const character = try parser.classCharacter() orelse return error.InvalidExpression;
            if (parser.isRange()) {
                parser.position += 1;
                const last = try parser.classCharacter() orelse return error.InvalidExpression;
                if (last < character) return error.InvalidExpression;
                set.setRangeValue(.{ .start = character, .end = @as(usize, last) + 1 }, true);
            } else set.set(character);
        }
        parser.position += 1;
        set = parser.folded(set);
        return if (negated) set.complement() else set;
    }

    /// Whether a hyphen follows that stands between two characters.
    fn isRange(parser: Parser) bool {
        const rest = parser.pattern[parser.position..];
        return rest.len > 1 and rest[0] == '-' and rest[1] != ']';
    }

    /// Several characters of a class under one name; null when it is not such a name that follows.
    fn classSet(parser: *Parser) Error!?Set {
        if (parser.accept("[:")) return try parser.posix();
        const rest = parser.pattern[parser.position..];
        if (rest.len < 2 or rest[0] != '\\') return null;
        const set = named(rest[1]) orelse return null;
        parser.position += 2;
        return set;
    }

    /// One character of a class; null before the escape of several.
    fn classCharacter(parser: *Parser) Error!?u8 {
        const character = parser.peek() orelse return error.InvalidExpression;
        const following = if (parser.position + 1 < parser.pattern.len) parser.pattern[parser.position + 1] else 0;
        switch (character) {
            '\\' => {
                if (named(following) != null) return null;
                parser.position += 1;
                return try ascii(try parser.escapedCharacter(try parser.next()));
            },
            // Sets in sets, and what Rust's syntax has of operations on sets.
            '[' => return error.InvalidExpression,
            '&', '-', '~' => if (following == character) return error.InvalidExpression,
            else => {},
        }
        parser.position += 1;
        return try ascii(character);
    }

    /// `[:alpha:]` after its first two characters.
    fn posix(parser: *Parser) Error!Set {
        const negated = parser.accept("^");
        inline for (posix_classes) |each| if (parser.accept(each[0] ++ ":]")) {
            const set = comptime ofPredicate(each[1]);
            return if (negated) set.complement() else set;
        };
        return error.InvalidExpression;
    }

    /// `set` with letters of the other case.
    fn folded(parser: Parser, set: Set) Set {
        if (!parser.flags.ignore_case) return set;
        var out = set;
        for ('A'..'Z' + 1) |upper| {
            if (!set.isSet(upper) and !set.isSet(upper | 0x20)) continue;
            out.set(upper);
            out.set(upper | 0x20);
        }
        return out;
    }
};

fn add(left: u32, right: u32) Error!u32 {
    return if (left + right <= size_max) left + right else error.InvalidExpression;
}

fn ascii(character: u8) Error!u8 {
    return if (character < 0x80) character else error.InvalidExpression;
}

fn single(character: u8) Error!Set {
    var set: Set = .initEmpty();
    set.set(try ascii(character));
    return set;
}

fn ofSet(set: Set) Node {
    return .{ .kind = .{ .set = set }, .size = 1 };
}

fn ofAssertion(assertion: Assertion) Node {
    return .{ .kind = .{ .assertion = assertion }, .size = 1 };
}

fn isWord(character: u8) bool {
    return std.ascii.isAlphanumeric(character) or character == '_';
}

fn isAny(character: u8) bool {
    return character < 0x80;
}

fn isSpace(character: u8) bool {
    return character == ' ' or (character >= '\t' and character <= '\r');
}

fn isBlank(character: u8) bool {
    return character == ' ' or character == '\t';
}

fn isPunctuation(character: u8) bool {
    return character > ' ' and character < 0x7f and !std.ascii.isAlphanumeric(character);
}

fn isGraphic(character: u8) bool {
    return character > ' ' and character < 0x7f;
}

const posix_classes = .{
    .{ "alnum", std.ascii.isAlphanumeric },
    .{ "alpha", std.ascii.isAlphabetic },
    .{ "ascii", isAny },
    .{ "blank", isBlank },
    .{ "cntrl", std.ascii.isControl },
    .{ "digit", std.ascii.isDigit },
    .{ "graph", isGraphic },
    .{ "lower", std.ascii.isLower },
    .{ "print", std.ascii.isPrint },
    .{ "punct", isPunctuation },
    .{ "space", isSpace },
    .{ "upper", std.ascii.isUpper },
    .{ "word", isWord },
    .{ "xdigit", std.ascii.isHex },
};

fn ofPredicate(comptime predicate: anytype) Set {
    @setEvalBranchQuota(100_000);
    var set: Set = .initEmpty();
    for (0..256) |character| if (predicate(character)) set.set(character);
    return set;
}

/// The set that an escaped letter names.
fn named(character: u8) ?Set {
    return switch (character) {
        'd' => comptime ofPredicate(std.ascii.isDigit),
        'w' => comptime ofPredicate(isWord),
        's' => comptime ofPredicate(isSpace),
        'D' => comptime ofPredicate(std.ascii.isDigit).complement(),
        'W' => comptime ofPredicate(isWord).complement(),
        'S' => comptime ofPredicate(isSpace).complement(),
        else => null,
    };
}

const Instruction = union(enum) {
    set: Set,
    assertion: Assertion,
    jump: u32,
    /// Two ways on.
    split: [2]u32,
    match,
};

pub const Expression = struct {
    program: []const Instruction,

    /// Result and everything that it holds belong to `arena`.
    pub fn compile(arena: Allocator, pattern: []const u8) Error!Expression {
        var parser: Parser = .{ .arena = arena, .pattern = pattern };
        const node = try parser.alternatives(0);
        if (parser.position < pattern.len) return error.InvalidExpression; // a ) that closes nothing
        var compiler: Compiler = .{ .arena = arena };
        try compiler.emit(node);
        try compiler.append(.match);
        return .{ .program = compiler.program.items };
    }

    /// Whether it matches anywhere in `text`.
    pub fn search(expression: Expression, arena: Allocator, text: []const u8) error{OutOfMemory}!bool {
        var current: States = try .init(arena, expression.program.len);
        var following: States = try .init(arena, expression.program.len);
        const stack = try arena.alloc(u32, expression.program.len + 1);
        for (0..text.len + 1) |position| {
            expression.follow(&current, stack, 0, text, position);
            following.count = 0;
            for (current.list[0..current.count]) |index| switch (expression.program[index]) {
                .match => return true,
                .set => |set| if (position < text.len and set.isSet(text[position])) {
                    expression.follow(&following, stack, index + 1, text, position + 1);
                },
                else => {},
            };
            std.mem.swap(States, &current, &following);
        }
        return false;
    }

    /// Adds the instruction `start` and all that is reached from it without a byte.
    fn follow(expression: Expression, states: *States, stack: []u32, start: u32, text: []const u8, position: usize) void {
        var height: usize = 0;
        if (states.add(start)) {
            stack[0] = start;
            height = 1;
        }
        while (height > 0) {
            height -= 1;
            const index = stack[height];
            const targets: [2]?u32 = switch (expression.program[index]) {
                .jump => |target| .{ target, null },
                .split => |both| .{ both[0], both[1] },
                .assertion => |assertion| .{ if (holds(assertion, text, position)) index + 1 else null, null },
                .set, .match => .{ null, null },
            };
            for (targets) |target| if (target) |reached| if (states.add(reached)) {
                stack[height] = reached; // each instruction is there once
                height += 1;
            };
        }
    }
};

fn holds(assertion: Assertion, text: []const u8, position: usize) bool {
    return switch (assertion) {
        .start => position == 0,
        .end => position == text.len,
        .word_boundary => isWordBoundary(text, position),
        .no_word_boundary => !isWordBoundary(text, position),
    };
}

fn isWordBoundary(text: []const u8, position: usize) bool {
    const before = position > 0 and isWord(text[position - 1]);
    const after = position < text.len and isWord(text[position]);
    return before != after;
}

/// A set of instructions in the order of their arrival.
const States = struct {
    list: []u32,
    places: []u32,
    count: usize = 0,

    fn init(arena: Allocator, length: usize) error{OutOfMemory}!States {
        const states: States = .{ .list = try arena.alloc(u32, length), .places = try arena.alloc(u32, length) };
        @memset(states.places, 0);
        @memset(states.list, 0);
        return states;
    }

    /// Whether it was not there before.
    fn add(states: *States, index: u32) bool {
        const place = states.places[index];
        if (place < states.count and states.list[place] == index) return false;
        states.places[index] = @intCast(states.count);
        states.list[states.count] = index;
        states.count += 1;
        return true;
    }
};

const Compiler = struct {
    arena: Allocator,
    program: std.ArrayList(Instruction) = .empty,

    fn append(compiler: *Compiler, instruction: Instruction) Error!void {
        try compiler.program.append(compiler.arena, instruction);
    }

    fn next(compiler: Compiler) u32 {
        return @intCast(compiler.program.items.len);
    }

    fn emit(compiler: *Compiler, node: Node) Error!void {
        switch (node.kind) {
            .set => |set| try compiler.append(.{ .set = set }),
            .assertion => |assertion| try compiler.append(.{ .assertion = assertion }),
            .sequence => |nodes| for (nodes) |each| try compiler.emit(each),
            .alternatives => |branches| try compiler.emitAlternatives(branches),
            .repetition => |repetition| try compiler.emitRepetition(repetition),
        }
    }

    fn emitAlternatives(compiler: *Compiler, branches: []const Node) Error!void {
        var jumps: std.ArrayList(u32) = .empty;
        for (branches, 1..) |branch, number| {
            if (number == branches.len) {
                try compiler.emit(branch);
                break;
            }
            const split = compiler.next();
            try compiler.append(.{ .split = .{ split + 1, 0 } });
            try compiler.emit(branch);
            try jumps.append(compiler.arena, compiler.next());
            try compiler.append(.{ .jump = 0 });
            compiler.program.items[split].split[1] = compiler.next();
        }
        for (jumps.items) |jump| compiler.program.items[jump].jump = compiler.next();
    }

    fn emitRepetition(compiler: *Compiler, repetition: Repetition) Error!void {
        for (0..repetition.min) |_| try compiler.emit(repetition.node.*);
        const max = repetition.max orelse {
            const split = compiler.next();
            try compiler.append(.{ .split = .{ split + 1, 0 } });
            try compiler.emit(repetition.node.*);
            try compiler.append(.{ .jump = split });
            compiler.program.items[split].split[1] = compiler.next();
            return;
        };
        var splits: std.ArrayList(u32) = .empty;
        for (repetition.min..max) |_| {
            try splits.append(compiler.arena, compiler.next());
            try compiler.append(.{ .split = .{ compiler.next() + 1, 0 } });
            try compiler.emit(repetition.node.*);
        }
        for (splits.items) |split| compiler.program.items[split].split[1] = compiler.next();
    }
};

fn matches(pattern: []const u8, text: []const u8) !bool {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const expression = try Expression.compile(arena.allocator(), pattern);
    return expression.search(arena.allocator(), text);
}

test "an expression matches anywhere in a text" {
    const cases = [_]struct { []const u8, []const u8, bool }{
        .{ "PEX_.*", "XPEX_Y", true },
        .{ "^PEX_.*", "XPEX_Y", false },
        .{ "^PEX_.*$", "PEX_", true },
        .{ "PYTHON(HOME|PATH)?$", "PYTHONPATH", true },
        .{ "PYTHON(HOME|PATH)?$", "PYTHONPATHS", false },
        .{ "^[A-Z_]{2,3}$", "AB", true },
        .{ "^[A-Z_]{2,3}$", "ABCD", false },
        .{ "^[^a-y\\d]+$", "zz-", true },
        .{ "^[^a-y\\d]+$", "z1", false },
        .{ "(?i)path", "PaTh", true },
        .{ "a(?i:b)c", "aBC", false },
        .{ "a(?i:b)c", "aBc", true },
        .{ "(?i)a(?-i)b", "AB", false },
        .{ "\\bB\\b", "A-B", true },
        .{ "\\bB\\b", "AB", false },
        .{ "^(a*)*$", "aaab", false },
        .{ "^(a|b|)+$", "abba", true },
        .{ "^[]^-]+$", "]^-", true },
        .{ "^[[:upper:]_]+$", "A_B", true },
        .{ "^\\x41\\.\\-$", "A.-", true },
        .{ "^.$", "\xff", true },
        .{ "^.$", "\n", false },
        .{ "(?s)^.$", "\n", true },
        .{ "", "", true },
        .{ "$^", "", true },
        .{ "(?P<name>a)(?<n2>b)", "ab", true },
        .{ "^(a?){50}a{50}$", "a" ** 50, true },
    };
    for (cases) |case| try testing.expectEqual(case[2], try matches(case[0], case[1]));
}

test "what is no expression of this syntax is refused" {
    const cases = [_][]const u8{
        "(",        ")",                 "a)",                   "(?",      "(?i",     "(?:a",   "(?)",      "(?=a)",  "(?!a)",   "(?<=a)",  "(?P=n)",
        "(?P<>a)",  "(?<1a>b)",          "*",                    "a**",     "a{2}{3}", "^*",     "\\b+",     "{",      "a{",      "a{,3}",   "a{3,2}",
        "a{1001}",  "[",                 "[]",                   "[a",      "[z-a]",   "[a&&b]", "[a--b]",   "[[a]]",  "[a-\\d]", "[\\d-z]", "\\",
        "\\1",      "\\p{L}",            "\\x4",                 "\\x{41}", "\\xff",   "\\Q",    "\xc3\xa9", "[\xff]", "(?m)a",   "(?x)a",   "(?i-)a",
        "[[:no:]]", "((a{99}){99}){99}", "(" ** 60 ++ ")" ** 60,
    };
    for (cases) |case| try testing.expectError(error.InvalidExpression, matches(case, "a"));
}
