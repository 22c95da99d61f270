using System.Collections.Generic;
using System.ComponentModel.DataAnnotations;
using System.Linq;
using Altinn.App.Models;

namespace Altinn.App.Logic
{
    /// <summary>Says what is wrong with the answers: first the model's own rules, then what one field alone cannot know.</summary>
    public static class GrantValidation
    {
        /// <summary>The source of what the model's own rules find: the name that every Altinn app gives it.</summary>
        public const string Rules = "DataAnnotations";

        public const string Own = "GrantValidation";

        public static IReadOnlyList<Issue> Run(Model model)
        {
            var broken = new List<ValidationResult>();
            Validator.TryValidateObject(model, new ValidationContext(model), broken, validateAllProperties: true);
            List<Issue> issues = broken
                .Select(result => new Issue(Rules, FieldName(result.MemberNames.First()), result.ErrorMessage))
                .ToList();

            if (model.OwnShare > model.TotalCost)
            {
                issues.Add(new Issue(Own, "ownShare", "error.ownShareAboveTotal"));
            }

            return issues;
        }

        private static string FieldName(string property) => char.ToLowerInvariant(property[0]) + property.Substring(1);
    }
}
