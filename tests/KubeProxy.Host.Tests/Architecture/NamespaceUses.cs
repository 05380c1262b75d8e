using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace KubeProxy.Host.Tests.Architecture;

/// <summary>
/// Finds which namespaces the types of an assembly use: base types, interfaces, signatures, and everything that the code calls
/// or creates. Nothing is loaded or run.
/// </summary>
internal sealed class NamespaceUses : ISignatureTypeProvider<ImmutableHashSet<string>, object?>
{
    private static readonly Dictionary<ushort, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => field.GetValue(null)).OfType<OpCode>().ToDictionary(code => (ushort)code.Value, code => code.OperandType);

    private readonly PEReader _file;
    private readonly MetadataReader _metadata;

    public NamespaceUses(PEReader file) => (_file, _metadata) = (file, file.GetMetadataReader());

    /// <summary>All uses, each once.</summary>
    public IEnumerable<(string From, string To)> All() => _metadata.TypeDefinitions
        .SelectMany(handle => Of(handle).Select(to => (From: Name(handle), To: to)))
        .Where(use => use.From.Length > 0 && use.To.Length > 0 && use.From != use.To).Distinct();

    private HashSet<string> Of(TypeDefinitionHandle handle)
    {
        var type = _metadata.GetTypeDefinition(handle);
        var uses = new HashSet<string>();
        if (!type.BaseType.IsNil) uses.UnionWith(OfToken(type.BaseType));
        foreach (var implemented in type.GetInterfaceImplementations()) uses.UnionWith(OfToken(_metadata.GetInterfaceImplementation(implemented).Interface));
        foreach (var field in type.GetFields()) uses.UnionWith(_metadata.GetFieldDefinition(field).DecodeSignature(this, null));
        foreach (var method in type.GetMethods()) uses.UnionWith(OfMethod(_metadata.GetMethodDefinition(method)));
        return uses;
    }

    private HashSet<string> OfMethod(MethodDefinition method)
    {
        var uses = new HashSet<string>(OfSignature(method.DecodeSignature(this, null)));
        if (method.RelativeVirtualAddress == 0) return uses;
        var body = _file.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
            foreach (var local in _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null)) uses.UnionWith(local);
        var code = body.GetILReader();
        while (code.RemainingBytes > 0)
        {
            ushort value = code.ReadByte();
            if (value == 0xFE) value = (ushort)(0xFE00 | code.ReadByte());
            uses.UnionWith(OfOperand(ref code, Operands[value]));
        }

        return uses;
    }

    private ImmutableHashSet<string> OfOperand(ref BlobReader code, OperandType operand)
    {
        switch (operand)
        {
            case OperandType.InlineNone: break;
            case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar: code.Offset += 1; break;
            case OperandType.InlineVar: code.Offset += 2; break;
            case OperandType.InlineI8 or OperandType.InlineR: code.Offset += 8; break;
            case OperandType.InlineSwitch:
                var targets = code.ReadInt32();
                code.Offset += 4 * targets;
                break;
            case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                return OfToken((EntityHandle)System.Reflection.Metadata.Ecma335.MetadataTokens.Handle(code.ReadInt32()));
            default: code.Offset += 4; break;
        }

        return [];
    }

    private ImmutableHashSet<string> OfToken(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.TypeReference: return [Name((TypeReferenceHandle)handle)];
            case HandleKind.TypeDefinition: return [Name((TypeDefinitionHandle)handle)];
            case HandleKind.TypeSpecification: return _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
            case HandleKind.MethodDefinition: return [Name(_metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType())];
            case HandleKind.FieldDefinition: return [Name(_metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType())];
            case HandleKind.MethodSpecification:
                var generic = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                return OfToken(generic.Method).Union(generic.DecodeSignature(this, null).SelectMany(name => name));
            case HandleKind.MemberReference:
                var member = _metadata.GetMemberReference((MemberReferenceHandle)handle);
                return member.GetKind() == MemberReferenceKind.Method
                    ? OfToken(member.Parent).Union(OfSignature(member.DecodeMethodSignature(this, null)))
                    : OfToken(member.Parent).Union(member.DecodeFieldSignature(this, null));
            default: return [];
        }
    }

    private static IEnumerable<string> OfSignature(MethodSignature<ImmutableHashSet<string>> signature) =>
        signature.ParameterTypes.Append(signature.ReturnType).SelectMany(name => name);

    private string Name(TypeDefinitionHandle handle)
    {
        var type = _metadata.GetTypeDefinition(handle);
        return type.GetDeclaringType() is { IsNil: false } outer ? Name(outer) : _metadata.GetString(type.Namespace);
    }

    private string Name(TypeReferenceHandle handle)
    {
        var type = _metadata.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? Name((TypeReferenceHandle)type.ResolutionScope)
            : _metadata.GetString(type.Namespace);
    }

    ImmutableHashSet<string> ISimpleTypeProvider<ImmutableHashSet<string>>.GetPrimitiveType(PrimitiveTypeCode typeCode) => [];

    ImmutableHashSet<string> ISimpleTypeProvider<ImmutableHashSet<string>>.GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => [Name(handle)];

    ImmutableHashSet<string> ISimpleTypeProvider<ImmutableHashSet<string>>.GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => [Name(handle)];

    ImmutableHashSet<string> ISZArrayTypeProvider<ImmutableHashSet<string>>.GetSZArrayType(ImmutableHashSet<string> elementType) => elementType;

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetArrayType(ImmutableHashSet<string> elementType, ArrayShape shape) => elementType;

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetByReferenceType(ImmutableHashSet<string> elementType) => elementType;

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetPointerType(ImmutableHashSet<string> elementType) => elementType;

    ImmutableHashSet<string> IConstructedTypeProvider<ImmutableHashSet<string>>.GetGenericInstantiation(ImmutableHashSet<string> genericType, ImmutableArray<ImmutableHashSet<string>> typeArguments) =>
        genericType.Union(typeArguments.SelectMany(name => name));

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetFunctionPointerType(MethodSignature<ImmutableHashSet<string>> signature) => [.. OfSignature(signature)];

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetGenericMethodParameter(object? genericContext, int index) => [];

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetGenericTypeParameter(object? genericContext, int index) => [];

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetModifiedType(ImmutableHashSet<string> modifier, ImmutableHashSet<string> unmodifiedType, bool isRequired) => unmodifiedType;

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetPinnedType(ImmutableHashSet<string> elementType) => elementType;

    ImmutableHashSet<string> ISignatureTypeProvider<ImmutableHashSet<string>, object?>.GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);
}
