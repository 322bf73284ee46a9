using System.Reflection;
using System.Reflection.Emit;

namespace TdxVerify.Model;

/// <summary>
/// Which fields of <see cref="Call"/> the code of a step reads, itself or in what it calls, found in its instructions.
/// </summary>
/// <remarks>
/// Why: what a call no longer needs must not tell states apart, and a list kept by hand would be wrong one day without
/// anybody noticing. A field whose address is taken counts as read, so the answer is never too small.
/// </remarks>
internal sealed class FieldUses
{
    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly Dictionary<MethodBase, HashSet<FieldInfo>> _known = [];

    /// <summary>The fields that a method may read.</summary>
    public IReadOnlySet<FieldInfo> Of(MethodBase method)
    {
        if (_known.TryGetValue(method, out HashSet<FieldInfo>? fields))
            return fields;
        fields = [];
        _known.Add(method, fields);
        var callees = new List<MethodBase>();
        Scan(method, fields, callees);
        foreach (MethodBase callee in callees)
            fields.UnionWith(Of(callee));
        return fields;
    }

    private static void Scan(MethodBase method, HashSet<FieldInfo> fields, List<MethodBase> callees)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            return;
        Type[]? typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < il.Length;)
        {
            short value = il[at] == 0xFE ? (short)(0xFE00 | il[at + 1]) : il[at];
            OpCode code = s_opCodes[value];
            at += code.Size;
            switch (code.OperandType)
            {
                case OperandType.InlineField when code == OpCodes.Ldfld || code == OpCodes.Ldflda:
                    FieldInfo field = method.Module.ResolveField(BitConverter.ToInt32(il, at), typeArguments, methodArguments)!;
                    if (field.DeclaringType == typeof(Call))
                        fields.Add(field);
                    break;
                case OperandType.InlineMethod:
                    MethodBase callee = method.Module.ResolveMethod(BitConverter.ToInt32(il, at), typeArguments, methodArguments)!;
                    if (callee.Module == method.Module)
                        callees.Add(callee);
                    break;
                case OperandType.InlineType when code == OpCodes.Ldobj:
                    if (method.Module.ResolveType(BitConverter.ToInt32(il, at), typeArguments, methodArguments) == typeof(Call))
                        fields.UnionWith(typeof(Call).GetFields());
                    break;
                default:
                    break;
            }

            at += OperandSize(code, il, at);
        }
    }

    private static int OperandSize(OpCode code, byte[] il, int at) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
        _ => 4,
    };
}
