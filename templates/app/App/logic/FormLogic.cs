using System;
using System.Collections.Generic;
using Altinn.App.Models;

namespace Altinn.App.Logic
{
    /// <summary>Which logic belongs to which model. A model that is not named here has none.</summary>
    public static class FormLogic
    {
        /// <summary>All that may find something; the frontend keeps their findings apart.</summary>
        public static readonly IReadOnlyList<string> Sources = new[] { GrantValidation.Rules, GrantValidation.Own };

        public static void Calculate(object model)
        {
            if (model is Model grant)
            {
                GrantCalculation.Run(grant);
            }
        }

        public static IReadOnlyList<Issue> Validate(object model) =>
            model is Model grant ? GrantValidation.Run(grant) : Array.Empty<Issue>();
    }
}
